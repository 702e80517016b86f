package longshore;

import org.operaton.bpm.engine.rest.security.auth.ProcessEngineAuthenticationFilter;
import org.springframework.boot.SpringApplication;
import org.springframework.boot.autoconfigure.SpringBootApplication;
import org.springframework.boot.autoconfigure.condition.ConditionalOnProperty;
import org.springframework.boot.web.servlet.FilterRegistrationBean;
import org.springframework.context.annotation.Bean;

/** The engine with its REST API at /engine-rest. Everything else is a setting: see application.properties. */
@SpringBootApplication
public class OperatonServer {
  public static void main(String[] arguments) {
    SpringApplication.run(OperatonServer.class, arguments);
  }

  /** HTTP Basic authentication against the engine's users, as the distributions of Operaton offer it. */
  @Bean
  @ConditionalOnProperty("longshore.basic-auth")
  FilterRegistrationBean<ProcessEngineAuthenticationFilter> basicAuthentication() {
    var registration = new FilterRegistrationBean<>(new ProcessEngineAuthenticationFilter());
    registration.addInitParameter(
        "authentication-provider",
        "org.operaton.bpm.engine.rest.security.auth.impl.HttpBasicAuthenticationProvider");
    registration.addUrlPatterns("/engine-rest/*");
    registration.setAsyncSupported(true);
    return registration;
  }
}
